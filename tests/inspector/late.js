// Run by browser.py: holds back the first request that the page asks for, and keeps it as `late`.
const real = window.fetch;
window.fetch = async (path, options) => {
  const reply = await real(path, options);
  if (!path.startsWith("/requests/")) return reply;
  window.fetch = real;
  const text = await reply.text();
  await new Promise((done) => setTimeout(done, 1500));
  window.late = JSON.parse(text);
  return new Response(text, reply);
};
