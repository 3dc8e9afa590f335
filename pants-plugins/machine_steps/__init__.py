"""Steps of a build that see settings of the machine, without having them in their keys in the caches."""
