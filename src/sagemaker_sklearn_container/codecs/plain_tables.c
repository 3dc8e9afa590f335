/* Tables of plain numbers, as JSON and as CSV, to float32 in one pass.
 *
 * A number is read here only where its exact value fits the two operands of one IEEE 754 operation on doubles: a
 * significand up to 2^53 and a power of ten up to 10^22, which both are doubles themselves, so that their product or
 * quotient is rounded once (Clinger 1990). For all else, and for whatever is no table of plain numbers, the answer is
 * NOT_PLAIN, and the caller has a slower reader that knows everything.
 *
 * Nothing is called, nothing is allocated, and no byte outside of the text is read.
 */

#include <stddef.h>
#include <stdint.h>

#define NOT_PLAIN ((ptrdiff_t)-1)

typedef unsigned char byte;

static const uint64_t LARGEST_EXACT = (uint64_t)1 << 53;
#define MOST_DIGITS 19 /* of which each combination fits 64 bits */
#define LARGEST_POWER 22

static const double POWERS[LARGEST_POWER + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                                 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
/* Signs alternate without a rule, so a branch would be guessed wrong every other time. */
static const double SIGNS[2] = {1, -1};
static const uint64_t SHORT_POWERS[9] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

static inline int is_digit(byte character) { return (byte)(character - '0') < 10; }

static inline int is_blank(byte character) { return character == ' ' || character == '\t'; }

static inline int is_white(byte character) {
    return is_blank(character) || character == '\n' || character == '\r';
}

/* How many of eight characters, the first in the lowest byte, are digits before the first that is none. */
static inline unsigned leading_digits(uint64_t characters) {
    uint64_t values = characters ^ 0x3030303030303030u;
    /* The highest bit of each byte beyond 9; a carry may spoil those behind the first of them. */
    uint64_t others = ((values + 0x7676767676767676u) | values) & 0x8080808080808080u;
    return others ? (unsigned)__builtin_ctzll(others) >> 3 : 8;
}

/* The number that `count` leading digits of eight characters stand for, `count` from 1 to 8. */
static inline uint64_t value_of(uint64_t characters, unsigned count) {
    uint64_t digits = (characters << (64 - 8 * count)) & 0x0f0f0f0f0f0f0f0fu;
    digits = (digits * 10) + (digits >> 8); /* pairs, in every second byte */
    return (((digits & 0x000000ff000000ffu) * 0x000f424000000064u) +
            (((digits >> 16) & 0x000000ff000000ffu) * 0x0000271000000001u)) >>
           32;
}

/* Reads digits into a significand, up to the first character that is none; the significand may have overflowed after
 * MOST_DIGITS. */
static inline const byte *read_digits(const byte *at, const byte *end, uint64_t *significand) {
    uint64_t value = *significand;
    while (end - at >= 8) {
        uint64_t characters;
        __builtin_memcpy(&characters, at, 8);
        unsigned count = leading_digits(characters);
        if (count) {
            value = value * SHORT_POWERS[count] + value_of(characters, count);
            at += count;
        }
        if (count < 8) {
            *significand = value;
            return at;
        }
    }
    while (at < end && is_digit(*at)) {
        value = value * 10 + (uint64_t)(*at++ - '0');
    }
    *significand = value;
    return at;
}

/* Reads one number as JSON writes it; where it ends, or NULL if it is not plain. */
static inline const byte *read_number(const byte *at, const byte *end, float *number) {
    int is_negative = at < end && *at == '-';
    at += is_negative;
    const byte *start = at;
    uint64_t significand = 0;
    while (at < end && is_digit(*at)) {
        significand = significand * 10 + (uint64_t)(*at++ - '0');
    }
    ptrdiff_t digits = at - start;
    if (!digits || (digits > 1 && *start == '0')) {
        return NULL;
    }
    ptrdiff_t power = 0;
    int has_point = at < end && *at == '.';
    if (has_point) {
        const byte *fraction = ++at;
        at = read_digits(at, end, &significand);
        power = fraction - at;
        digits -= power;
        if (!power) {
            return NULL;
        }
    }
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        int is_small = at < end && *at == '-';
        at += is_small || (at < end && *at == '+');
        start = at;
        ptrdiff_t exponent = 0;
        while (at < end && is_digit(*at) && at - start < 4) {
            exponent = exponent * 10 + (*at++ - '0');
        }
        if (at == start) {
            return NULL;
        }
        power += is_small ? -exponent : exponent; /* a fifth digit is no separator, which the caller sees */
    }
    if (digits > MOST_DIGITS || significand > LARGEST_EXACT || power > LARGEST_POWER || power < -LARGEST_POWER ||
        (is_negative && !significand && !has_point)) { /* an integer zero has no sign in JSON, but has one in CSV */
        return NULL;
    }
    double value = (double)(int64_t)significand; /* of a signed one, processors have an instruction */
    value = power < 0 ? value / POWERS[-power] : value * POWERS[power];
    *number = (float)(value * SIGNS[is_negative]);
    return at;
}

static inline const byte *skip_white(const byte *at, const byte *end) {
    while (at < end && is_white(*at)) {
        at++;
    }
    return at;
}

static inline const byte *skip_blank(const byte *at, const byte *end) {
    while (at < end && is_blank(*at)) {
        at++;
    }
    return at;
}

/* Reads the numbers of a JSON array behind its bracket; where it ends, or NULL. */
static inline const byte *read_array(const byte *at, const byte *end, float **cells) {
    float *cell = *cells;
    for (;;) {
        at = skip_white(at, end);
        at = read_number(at, end, cell);
        if (!at) {
            return NULL;
        }
        cell++;
        at = skip_white(at, end);
        if (at == end) {
            return NULL;
        }
        byte separator = *at++;
        if (separator == ']') {
            *cells = cell;
            return at;
        }
        if (separator != ',') {
            return NULL;
        }
    }
}

/* Writes the text with a space behind each comma; `spaced` has room for twice the text. Returns the new length. */
size_t space_commas(const byte *text, size_t length, byte *spaced) {
    byte *end = spaced;
    for (size_t at = 0; at < length; at++) {
        *end++ = text[at];
        *end = ' ';
        end += text[at] == ',';
    }
    return (size_t)(end - spaced);
}

/* More numbers than one beyond this no text can hold, of either kind. */
size_t count_separators(const byte *text, size_t length) {
    size_t count = 0;
    while (length) {
        /* A sum of bytes, of which a processor adds many at a time, cannot overflow within a block. */
        size_t block = length < 255 * 32 ? length : 255 * 32;
        byte sums[32] = {0};
        size_t at = 0;
        for (; at + 32 <= block; at += 32) {
            for (int lane = 0; lane < 32; lane++) {
                sums[lane] = (byte)(sums[lane] + ((text[at + lane] == ',') | (text[at + lane] == '\n')));
            }
        }
        for (; at < block; at++) {
            count += (text[at] == ',') | (text[at] == '\n');
        }
        for (int lane = 0; lane < 32; lane++) {
            count += sums[lane];
        }
        text += block;
        length -= block;
    }
    return count;
}

/* The numbers of a JSON array, or of an array of equally long arrays.
 *
 * cells: room for as many numbers as the text can hold: (length + 1) / 2, or one more than it has separators.
 * columns: gets the length of the inner arrays, 0 if there are none.
 * Returns how many numbers there are, or NOT_PLAIN. */
ptrdiff_t read_json(const byte *text, size_t length, float *cells, size_t *columns) {
    const byte *at = text, *end = text + length;
    float *cell = cells;
    *columns = 0;
    at = skip_white(at, end);
    if (at == end || *at++ != '[') {
        return NOT_PLAIN;
    }
    at = skip_white(at, end);
    if (at == end) {
        return NOT_PLAIN;
    }
    if (*at != '[') {
        at = read_array(at, end, &cell);
    } else {
        for (;;) {
            float *row = cell;
            at = skip_white(at, end);
            if (at == end || *at++ != '[') {
                return NOT_PLAIN;
            }
            at = read_array(at, end, &cell);
            if (!at) {
                return NOT_PLAIN;
            }
            if (!*columns) {
                *columns = (size_t)(cell - row);
            }
            if ((size_t)(cell - row) != *columns) {
                return NOT_PLAIN;
            }
            at = skip_white(at, end);
            if (at == end) {
                return NOT_PLAIN;
            }
            byte separator = *at++;
            if (separator == ']') {
                break;
            }
            if (separator != ',') {
                return NOT_PLAIN;
            }
        }
    }
    if (!at || skip_white(at, end) != end) {
        return NOT_PLAIN;
    }
    return cell - cells;
}

/* The numbers of lines of comma separated values, which end in \n or \r\n; the last end is optional.
 *
 * Arguments and result are those of read_json; there is at least one column. */
ptrdiff_t read_csv(const byte *text, size_t length, float *cells, size_t *columns) {
    const byte *at = text, *end = text + length;
    float *cell = cells, *row = cells;
    *columns = 0;
    while (at < end) {
        at = skip_blank(at, end);
        at = read_number(at, end, cell);
        if (!at) {
            return NOT_PLAIN;
        }
        cell++;
        at = skip_blank(at, end);
        if (at < end && *at == ',') {
            at++;
            if (at == end) {
                return NOT_PLAIN;
            }
            continue;
        }
        if (at < end && *at == '\r') {
            at++;
            if (at == end || *at != '\n') {
                return NOT_PLAIN;
            }
        }
        if (at < end && *at++ != '\n') {
            return NOT_PLAIN;
        }
        if (!*columns) {
            *columns = (size_t)(cell - row);
        }
        if ((size_t)(cell - row) != *columns) {
            return NOT_PLAIN;
        }
        row = cell;
    }
    return cell > cells ? cell - cells : NOT_PLAIN;
}
