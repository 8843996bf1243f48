"use strict";

// Everything shown comes from /openapi.json as text nodes; nothing is parsed as HTML.
const verbs = ["get", "post", "put", "patch", "delete", "head", "options"];
let doc;

function el(name, attributes, ...children) {
  const e = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) e.addEventListener(key.slice(2), value);
    else if (value === true) e.setAttribute(key, "");
    else if (value !== false && value != null) e.setAttribute(key, value);
  }
  e.append(...children.flat().filter((c) => c != null && c !== ""));
  return e;
}

// A little of Markdown: paragraphs and `code`.
function text(markdown) {
  return el("div", { class: "text" }, (markdown || "").split(/\n\n+/).filter(Boolean).map((p) =>
    el("p", {}, p.split(/(`[^`]+`)/).map((t) => (t.startsWith("`") ? el("code", {}, t.slice(1, -1)) : t)))));
}

function resolve(schema) {
  for (let hops = 0; schema && schema.$ref && hops < 8; hops++) {
    schema = doc.components.schemas[schema.$ref.split("/").pop()];
  }
  return schema || {};
}

function typeName(schema) {
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.type === "array") return "list of " + typeName(schema.items || {});
  if (schema.type === "object" && schema.additionalProperties) return "map of " + typeName(schema.additionalProperties);
  return (schema.type || "any") + (schema.format ? " (" + schema.format + ")" : "");
}

// The object whose members are worth showing below a schema, if there is one.
function inner(schema) {
  if (schema.type === "array") return inner(schema.items || {});
  if (schema.additionalProperties) return inner(schema.additionalProperties);
  const real = resolve(schema);
  return real.properties ? real : real.type === "array" ? inner(real) : null;
}

function members(schema) {
  const real = inner(schema);
  if (!real) return null;
  const required = real.required || [];
  return el("table", {}, Object.entries(real.properties).map(([name, member]) => {
    const says = el("td", {}, el("span", { class: "type" }, typeName(member)));
    if (member.description) says.append(text(member.description));
    const choice = (member.type === "array" ? member.items : member).enum;
    if (choice) says.append(el("div", { class: "type" }, "one of: " + choice.join(", ")));
    if (member.examples) says.append(el("div", { class: "type" }, "such as: " + member.examples.map((x) => typeof x === "string" ? x : JSON.stringify(x)).join(", ")));
    if (inner(member)) says.append(unfold("members", () => members(member)));
    return el("tr", {}, el("td", {}, el("code", {}, name), required.includes(name) ? el("span", { class: "must", title: "required" }, " *") : ""), says);
  }));
}

function unfold(label, make) {
  const d = el("details", { class: "members" }, el("summary", {}, label));
  d.addEventListener("toggle", () => { if (d.open && d.children.length === 1) d.append(make()); });
  return d;
}

function sample(schema, depth = 0) {
  if (schema.examples) return schema.examples[0];
  if (schema.enum) return schema.enum[0];
  const real = resolve(schema);
  if (real !== schema) return depth > 5 ? {} : sample(real, depth + 1);
  switch (schema.type) {
    case "object": {
      const out = {};
      for (const [name, member] of Object.entries(schema.properties || {})) {
        if ((schema.required || []).includes(name) || member.examples) out[name] = sample(member, depth + 1);
      }
      return out;
    }
    case "array": return depth > 5 ? [] : [sample(schema.items || {}, depth + 1)];
    case "integer": case "number": return 0;
    case "boolean": return false;
    case "string": return schema.format === "date-time" ? new Date().toISOString().slice(0, 19) + "Z" : "";
  }
  return {};
}

function access(op) {
  if (!op.security || op.security.length === 0) return "public";
  return op["x-scopes"] ? op["x-scopes"].join(" or ") : "any token";
}

function contents(content) {
  return Object.entries(content || {}).map(([type, media]) => {
    const schema = media.schema || {};
    return el("div", {}, el("code", {}, type), " ", el("span", { class: "type" }, media.schema ? typeName(schema) : "bytes"),
      inner(schema) ? unfold("members", () => members(schema)) : "");
  });
}

function operation(path, verb, op) {
  const inside = el("div", { class: "inside" });
  const card = el("details", { class: "card", id: op.operationId },
    el("summary", {}, el("span", { class: "verb " + verb }, verb.toUpperCase()), el("span", { class: "path" }, path),
      el("span", { class: "says" }, op.summary || "", " ", el("span", { class: "pill" }, access(op)))), inside);
  card.addEventListener("toggle", () => {
    if (!card.open || inside.children.length) return;
    if (op.description) inside.append(text(op.description));
    if (op.parameters) {
      inside.append(el("h3", {}, "Parameters"), el("table", {}, op.parameters.map((p) => el("tr", {},
        el("td", {}, el("code", {}, p.name), p.required ? el("span", { class: "must" }, " *") : "", el("span", { class: "type" }, " " + p.in)),
        el("td", {}, text(p.description), p.schema && p.schema.enum ? el("div", { class: "type" }, "one of: " + p.schema.enum.join(", ")) : "")))));
    }
    if (op.requestBody) inside.append(el("h3", {}, "Body"), text(op.requestBody.description), ...contents(op.requestBody.content));
    inside.append(el("h3", {}, "Answers"), ...Object.entries(op.responses || {}).map(([status, r]) => el("div", {},
      el("span", { class: "status " + (status < "300" ? "good" : "") }, status), r.description || "", status < "300" ? contents(r.content) : "")));
    inside.append(trial(path, verb, op));
  });
  return card;
}

function trial(path, verb, op) {
  const inputs = (op.parameters || []).map((p) => {
    const choice = p.schema && p.schema.enum;
    const input = choice ? el("select", {}, el("option", { value: "" }, "—"), choice.map((v) => el("option", {}, v)))
      : el("input", { autocomplete: "off", spellcheck: "false", required: p.required });
    return { p, input, label: el("label", {}, p.name, input) };
  });
  const types = Object.keys((op.requestBody || {}).content || {});
  const typeBox = types.length > 1 ? el("select", { "aria-label": "Media type" }, types.map((t) => el("option", {}, t))) : null;
  const type = () => (typeBox ? typeBox.value : types[0]);
  const isText = (t) => /json|text|urlencoded/.test(t);
  const area = el("textarea", { spellcheck: "false", "aria-label": "Body" });
  const file = el("input", { type: "file", "aria-label": "File" });
  const fill = () => {
    if (!types.length) return;
    const schema = op.requestBody.content[type()].schema;
    area.hidden = !isText(type());
    file.hidden = !area.hidden;
    if (/json/.test(type()) && schema) area.value = JSON.stringify(sample(schema), null, 2);
  };
  if (typeBox) typeBox.addEventListener("change", fill);
  fill();

  const button = el("button", {}, "Send");
  const result = el("output", { "aria-live": "polite" });
  return el("form", {
    onsubmit: async (event) => {
      event.preventDefault();
      button.disabled = true;
      result.replaceChildren();
      try {
        result.append(...await send(path, verb, inputs, types.length ? type() : "", area, file));
      } catch (e) {
        result.append(el("pre", { class: "bad" }, String(e)));
      }
      button.disabled = false;
    },
  }, el("h3", {}, "Try it"), inputs.map((i) => i.label), types.length ? el("label", {}, "Body", typeBox, area, file) : "", button, result);
}

async function send(path, verb, inputs, type, area, file) {
  const query = new URLSearchParams();
  const headers = {};
  for (const { p, input } of inputs) {
    if (p.in === "path") path = path.replace("{" + p.name + "}", encodeURIComponent(input.value));
    else if (input.value === "") continue;
    else if (p.in === "query") query.set(p.name, input.value);
    else headers[p.name] = input.value;
  }
  const token = document.getElementById("token").value.trim();
  if (token) headers.Authorization = "Bearer " + token;
  let body;
  if (type === "multipart/form-data") {
    body = new FormData();
    if (file.files[0]) body.set("file", file.files[0]);
  } else if (type) {
    body = file.hidden ? area.value : file.files[0];
    headers["Content-Type"] = type;
  }
  const started = performance.now();
  const answer = await fetch(path + (query.size ? "?" + query : ""), { method: verb.toUpperCase(), headers, body });
  const bytes = await answer.blob();
  const took = Math.round(performance.now() - started);
  const out = [el("p", {}, el("span", { class: "status " + (answer.ok ? "good" : "bad") }, String(answer.status)), answer.statusText + ", " + took + " ms, " + bytes.size + " bytes")];
  const kind = answer.headers.get("Content-Type") || "";
  if (kind.startsWith("image/")) {
    out.push(el("img", { src: URL.createObjectURL(bytes), alt: "The picture in the answer" }));
  } else if (bytes.size) {
    let shown = await bytes.text();
    if (kind.includes("json")) { try { shown = JSON.stringify(JSON.parse(shown), null, 2); } catch { /* shown as it came */ } }
    out.push(el("pre", {}, shown));
  }
  return out;
}

function show() {
  const nav = document.getElementById("nav");
  const main = document.getElementById("main");
  document.getElementById("title").textContent = doc.info.title + " API";
  main.replaceChildren(text(doc.info.description));
  const groups = new Map(doc.tags.map((t) => [t.name, []]));
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const verb of verbs) if (item[verb]) groups.get(item[verb].tags[0]).push([path, verb, item[verb]]);
  }
  for (const [tag, ops] of groups) {
    nav.append(el("h2", {}, tag), ...ops.map(([path, verb, op]) => el("a", { href: "#" + op.operationId, title: path, "data-find": (path + " " + op.summary).toLowerCase() },
      el("span", { class: "verb " + verb }, verb.toUpperCase()), el("span", {}, op.summary))));
    main.append(el("section", { "aria-label": tag }, el("h2", {}, tag), ops.map(([path, verb, op]) => {
      const card = operation(path, verb, op);
      card.dataset.find = (verb + " " + path + " " + op.summary + " " + tag).toLowerCase();
      return card;
    })));
  }
  main.append(el("section", { "aria-label": "Schemas" }, el("h2", {}, "Schemas"), Object.entries(doc.components.schemas).map(([name, schema]) => {
    const card = el("details", { class: "card", id: "schema-" + name, "data-find": name.toLowerCase() }, el("summary", {}, el("span", { class: "path" }, name)));
    card.addEventListener("toggle", () => { if (card.open && card.children.length === 1) card.append(el("div", { class: "inside" }, text(schema.description), members(schema) || el("p", { class: "type" }, typeName(schema)))); });
    return card;
  })));
}

function jump() {
  const card = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (card && card.tagName === "DETAILS") { card.open = true; card.scrollIntoView(); }
}

async function start() {
  const token = document.getElementById("token");
  token.value = sessionStorage.getItem("token") || "";
  token.addEventListener("change", () => sessionStorage.setItem("token", token.value));
  document.getElementById("search").addEventListener("input", (event) => {
    const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const e of document.querySelectorAll("[data-find]")) e.hidden = !words.every((w) => e.dataset.find.includes(w));
    for (const s of document.querySelectorAll("main > section")) s.hidden = !s.querySelector("[data-find]:not([hidden])");
  });
  try {
    const answer = await fetch("/openapi.json");
    if (!answer.ok) throw new Error(answer.status + " " + answer.statusText);
    doc = await answer.json();
    show();
    jump();
    addEventListener("hashchange", jump);
  } catch (e) {
    document.getElementById("state").textContent = "The description could not be loaded: " + e.message;
  }
}

start();
