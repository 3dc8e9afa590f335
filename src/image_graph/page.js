"use strict";

// Shows what a box is made from and what is made from it, for the pointer and for the keyboard.
(() => {
  const graph = document.querySelector("svg.graph");
  const details = document.getElementById("details");
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const nodes = new Map([...graph.querySelectorAll(".node")].map((node) => [node.dataset.address, node]));
  const edges = [...graph.querySelectorAll("path[data-start]")];
  const nothing = details.innerHTML;
  let held = null;

  function closure(address, way) {
    const seen = new Set([address]);
    for (const one of seen) {
      facts[one][way].forEach((other) => seen.add(other));
    }
    return seen;
  }

  function trace(address) {
    const inputs = closure(address, "inputs");
    const outputs = closure(address, "outputs");
    graph.classList.add("tracing");
    nodes.forEach((node, name) => {
      node.classList.toggle("related", inputs.has(name) || outputs.has(name));
      node.classList.toggle("current", name === address);
    });
    edges.forEach((edge) => {
      const { start, end } = edge.dataset;
      edge.classList.toggle("related", (inputs.has(start) && inputs.has(end)) || (outputs.has(start) && outputs.has(end)));
    });
    describe(address, inputs.size - 1, outputs.size - 1);
  }

  function clear() {
    if (held !== null) {
      trace(held);
      return;
    }
    graph.classList.remove("tracing");
    graph.querySelectorAll(".related").forEach((one) => one.classList.remove("related", "current"));
    details.innerHTML = nothing;
  }

  function hold(address) {
    nodes.forEach((node, name) => node.classList.toggle("held", name === address));
    held = address;
    clear();
  }

  function element(name, text, className) {
    const made = document.createElement(name);
    made.textContent = text;
    made.className = className || "";
    return made;
  }

  function describe(address, inputs, outputs) {
    const fact = facts[address];
    const title = element("div", "");
    title.append(element("strong", fact.title), " ", element("span", fact.state, `badge ${fact.state}`));
    const list = element("dl", "");
    const rows = [
      ...fact.rows,
      ["Made from", [fact.inputs.join(", ") || "nothing else here", inputs > fact.inputs.length ? `(${inputs} in all)` : ""]],
      ["Needed by", [fact.outputs.join(", ") || "nothing else here", outputs > fact.outputs.length ? `(${outputs} in all)` : ""]],
    ];
    for (const [term, words] of rows) {
      list.append(element("dt", term), element("dd", [].concat(words).join(" ").trim(), "address"));
    }
    details.replaceChildren(title, list);
  }

  // Of several neighbours the nearest one in height.
  function neighbour(address, way) {
    const middle = (name) => {
      const box = nodes.get(name).getBBox();
      return box.y + box.height / 2;
    };
    const here = middle(address);
    return [...facts[address][way]].sort((a, b) => Math.abs(middle(a) - here) - Math.abs(middle(b) - here))[0];
  }

  nodes.forEach((node, address) => {
    node.addEventListener("pointerenter", () => trace(address));
    node.addEventListener("pointerleave", () => clear());
    node.addEventListener("focus", () => trace(address));
    node.addEventListener("blur", () => clear());
    node.addEventListener("click", () => hold(held === address ? null : address));
    node.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: "inputs", ArrowRight: "outputs" }[event.key];
      const other = way && neighbour(address, way);
      if (other) {
        nodes.get(other).focus();
      } else if (event.key === "Enter" || event.key === " ") {
        hold(held === address ? null : address);
      } else if (event.key === "Escape") {
        hold(null);
        node.blur();
      } else {
        return;
      }
      event.preventDefault();
    });
  });
})();
