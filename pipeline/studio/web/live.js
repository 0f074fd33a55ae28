// The page of the cache follows what other processes write.
const events = new EventSource("/events");
events.addEventListener("message", async (m) => {
  if (!JSON.parse(m.data).elsewhere) return;
  try {
    const page = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    document.querySelector("main").replaceChildren(...page.querySelector("main").childNodes);
  } catch {
    // The server is gone, and the stream says so.
  }
});
