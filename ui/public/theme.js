// Before the first paint: the stored theme, or the one the host asks for (?theme=), else the system's.
(() => {
  const asked = new URLSearchParams(location.search).get("theme");
  let kept = null;
  try {
    kept = localStorage.getItem("upshot.theme");
  } catch {}
  const theme = asked || kept || "system";
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", dark);
})();
