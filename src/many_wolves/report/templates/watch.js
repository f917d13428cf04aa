(() => {
  // Where the reader was is kept over a reload.
  const spot = () => {
    const pressed = document.querySelector("#phases [aria-pressed=true]");
    const columns = document.querySelector(".columns");
    return {
      phase: pressed ? pressed.dataset.phase : "",
      scroll: [scrollX, scrollY, columns.scrollLeft, columns.scrollTop],
    };
  };
  const kept = JSON.parse(sessionStorage.getItem("spot") || "null");
  if (kept) {
    const button = [...document.querySelectorAll("#phases button")].find((b) => b.dataset.phase === kept.phase);
    if (button) button.click();
    const columns = document.querySelector(".columns");
    [columns.scrollLeft, columns.scrollTop] = kept.scroll.slice(2);
    scrollTo(kept.scroll[0], kept.scroll[1]);
  }
  let known = null;
  const look = async () => {
    try {
      const state = await (await fetch("state", { cache: "no-store" })).text();
      if (known !== null && state !== known) {
        sessionStorage.setItem("spot", JSON.stringify(spot()));
        location.reload();
        return;
      }
      known = state;
    } catch { /* The command has ended: the page stays as it is. */ }
    setTimeout(look, 2000);
  };
  look();
})();
