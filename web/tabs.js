/** Tabs by the ARIA pattern: arrow keys, Home and End move, and moving selects. */

export function setUpTabs(list, onChange) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const select = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
    onChange(chosen.id.replace("tab-", ""));
  };
  const targets = { ArrowRight: (i) => i + 1, ArrowLeft: (i) => i - 1, Home: () => 0, End: () => -1 };
  list.addEventListener("click", (event) => {
    const tab = event.target.closest('[role="tab"]');
    if (tab) select(tab);
  });
  list.addEventListener("keydown", (event) => {
    const target = targets[event.key];
    if (!target) return;
    event.preventDefault();
    const tab = tabs.at(target(tabs.indexOf(event.target)) % tabs.length);
    select(tab);
    tab.focus();
  });
  select(tabs[0]);
}
