// Puts the newest state in place of what is shown, when the server tells that something has
// happened. What may be replaced has the attribute data-live and an id. All text comes from
// the server's own pages, which have it escaped.
"use strict";
(() => {
  const pulse = document.getElementById("pulse");
  const news = document.getElementById("news");
  const banner = document.getElementById("banner");
  const stream = document.body.dataset.stream;

  // An editor begins where the text stops being a document.
  const editor = document.querySelector("textarea[data-fault]");
  if (editor) {
    const at = Number(editor.dataset.fault);
    editor.focus();
    editor.setSelectionRange(at, at);
    editor.scrollTop = Math.max(0, editor.value.slice(0, at).split("\n").length - 6) * parseFloat(getComputedStyle(editor).lineHeight);
  }
  if (!stream || !pulse) return;
  let source = null, loading = false, again = false, ended = false, retry = 0;

  const show = (state, text) => { pulse.dataset.state = state; pulse.textContent = text; };

  // gone says that the server can't be reached.
  function gone() {
    if (!ended) {
      ended = true;
      const at = new Date().toLocaleTimeString();
      banner.textContent = `clawfs view has ended. What you see is as of ${at}. To go on, start it again in a terminal: clawfs view`;
      banner.classList.add("shown");
      show("gone", "ended");
    }
    clearTimeout(retry);
    retry = setTimeout(() => { if (!document.hidden) connect(); }, 2000);
  }

  // back takes that away again.
  function back() {
    ended = false;
    banner.classList.remove("shown");
    show("live", "live");
  }

  // takeOver replaces what has changed, part by part, and leaves the rest of the page alone.
  function takeOver(text) {
    const next = new DOMParser().parseFromString(text, "text/html");
    let changed = false;
    for (const old of document.querySelectorAll("[data-live]")) {
      const now = next.getElementById(old.id);
      if (!now || now.isEqualNode(old) || old.contains(document.activeElement) && document.activeElement.matches("input:not([type=radio]), textarea, select")) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      const picked = [...old.querySelectorAll("input[type=radio]:checked")].map((i) => i.id);
      const known = new Set([...old.querySelectorAll("[data-key]")].map((e) => e.dataset.key));
      old.replaceWith(document.adoptNode(now));
      for (const id of picked) { const i = document.getElementById(id); if (i) i.checked = true; }
      if (known.size > 0) for (const e of now.querySelectorAll("[data-key]")) if (!known.has(e.dataset.key)) e.classList.add("fresh");
      if (focused) document.getElementById(focused)?.focus();
      changed = true;
    }
    return changed;
  }

  async function refresh() {
    if (!document.querySelector("[data-live]")) return; // nothing here changes, as in answers to a form
    if (loading) { again = true; return; }
    loading = true;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if (answer.ok && takeOver(await answer.text())) news.textContent = "This page has changed: something was written.";
    } catch { gone(); }
    loading = false;
    if (again) { again = false; setTimeout(refresh, 250); }
  }

  function connect() {
    if (source) source.close();
    source = new EventSource(stream);
    source.onopen = () => { const was = ended; back(); if (was) refresh(); };
    source.addEventListener("change", refresh);
    source.addEventListener("end", () => { source.close(); gone(); });
    source.onerror = () => { source.close(); gone(); };
  }

  // A browser has six connections to a server for all its tabs: only those that are seen have one.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(retry);
    if (document.hidden) { source?.close(); return; }
    connect();
    refresh();
  });
  if (!document.hidden) connect();
})();
