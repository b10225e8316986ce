// Scanning with a camera: what it sees goes into the box that a wedge scanner types into, and the same form is sent.
// The browser reads the code where it can; otherwise small pictures go to the server, one at a time, which keeps none.

const OURS = /(^|\/)TB\d+-/i;
const PARCELS = /(^|\/)TB\d+-P-/i;
const EVERY_MS = 500;        // between two looks
const LONGEST_SIDE = 1280;   // pixels of a picture that goes to the server
const OUT_OF_VIEW_MS = 5000; // so long a code must not be seen before it counts again
const IN_VAIN_MS = 60000;    // then the camera closes by itself
const COMES_BACK_MS = 20000; // a page that answers a scan within this time opens it again
const OPENED = "tongban.camera";

const place = document.querySelector("[data-camera]");
const box = document.querySelector("[data-scan]");

const WORDS = {
  insecure: "浏览器只在加密连接（https）下允许使用摄像头。请用 https 地址打开本系统，或改用扫码枪、上传照片。",
  NotAllowedError: "摄像头没有获得许可。请在浏览器的网站设置里允许本站使用摄像头，再点一次；也可以用扫码枪。",
  NotFoundError: "本机没有找到摄像头，请用扫码枪，或上传面单照片。",
  NotReadableError: "摄像头打不开，可能正被别的程序占用。请关闭那个程序后再试。",
  other: "摄像头打不开，请用扫码枪，或上传面单照片。",
  offline: "本机浏览器不能自己识读二维码，要等网络恢复后才能用摄像头。请用扫码枪。",
  gone: "摄像头已断开，请检查后再试。",
  in_vain: "一分钟没有读到二维码，摄像头已关闭。再点一次可继续。",
  foreign: "画面里的不是本系统打印的二维码，请对准面单上的方形二维码。",
  away: "网络断开，暂时不能识读；恢复后自动继续。",
  signed_out: "登录已失效，请刷新页面后重新登录。",
  look: "把面单上的二维码放进画面，读到后自动提交。",
};

function remembered() {
  try { return JSON.parse(sessionStorage.getItem(OPENED)) || {}; } catch { return {}; }
}

async function ownReader() {
  if (!("BarcodeDetector" in window)) return null;
  const formats = await BarcodeDetector.getSupportedFormats().catch(() => []);
  return formats.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : null;
}

class Stop extends Error {}

/* Reads a code off the picture that the camera shows now: "" while there is none. */
async function readHere(reader, video) {
  const texts = (await reader.detect(video)).map((code) => code.rawValue);
  return texts.find((text) => PARCELS.test(text)) || texts[0] || "";
}

async function readThere(address, video, pane) {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
  pane.width = Math.round(video.videoWidth * scale);
  pane.height = Math.round(video.videoHeight * scale);
  pane.getContext("2d").drawImage(video, 0, 0, pane.width, pane.height);
  const picture = await new Promise((done) => { pane.toBlob(done, "image/jpeg", 0.85); });
  const body = new FormData();
  const token = box.form.querySelector("input[type=hidden]"); // against forged requests, as the form itself carries it
  body.set(token.name, token.value);
  body.set("frame", picture, "frame.jpg");
  const answer = await fetch(address, { method: "POST", body }).catch(() => null);
  if (!answer) return null;
  if (!(answer.headers.get("content-type") || "").includes("json")) throw new Stop(WORDS.signed_out);
  const { code, said } = await answer.json();
  if (!answer.ok) throw new Stop(said);
  return code;
}

function confirmScan() {
  if (!navigator.userActivation?.hasBeenActive) return; // browsers keep quiet until somebody touched the page
  navigator.vibrate?.(120);
  const sound = new AudioContext();
  const tone = sound.createOscillator();
  tone.frequency.value = 880;
  tone.connect(sound.destination);
  tone.addEventListener("ended", () => sound.close());
  tone.start();
  tone.stop(sound.currentTime + 0.12);
}

function lookOut() {
  const [open, view, video, close, says, fault] = ["open", "view", "video", "close", "says", "fault"]
    .map((part) => place.querySelector(`[data-camera-${part}]`));
  const pane = document.createElement("canvas");
  let stream = null;
  let last = { code: "", at: 0 };

  function show(text) {
    fault.textContent = text;
    fault.hidden = !text;
  }

  function shut(why = "") {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.srcObject = null;
    view.hidden = true;
    open.hidden = false;
    show(why);
  }

  function isNews(code) {
    const again = code === last.code && Date.now() - last.at < OUT_OF_VIEW_MS;
    last = { code, at: Date.now() };
    return !again;
  }

  async function take(code) {
    confirmScan();
    box.value = code;
    says.textContent = "已读到，正在提交…";
    sessionStorage.setItem(OPENED, JSON.stringify({ path: location.pathname, at: Date.now(), code }));
    await new Promise((done) => { setTimeout(done, 150); }); // the tone is heard before the page goes
    box.form.requestSubmit();
    await new Promise((done) => { setTimeout(done, 2000); });
  }

  async function watch(reader) {
    const mine = stream;
    let own = reader;
    let fruitful = Date.now();
    const failed = (problem) => {
      if (!place.dataset.read) throw problem;
      console.warn(problem); // some browsers offer a reader that the system behind them lacks
      own = null;
      return "";
    };
    while (stream === mine) {
      const begun = Date.now();
      const code = own ? await readHere(own, video).catch(failed) : await readThere(place.dataset.read, video, pane);
      if (stream !== mine) return;
      if (code && OURS.test(code)) {
        fruitful = Date.now();
        if (isNews(code)) await take(code);
      } else {
        says.textContent = code === null ? WORDS.away : code ? WORDS.foreign : WORDS.look;
      }
      if (Date.now() - fruitful > IN_VAIN_MS) throw new Stop(WORDS.in_vain);
      // The server has as long a rest as it had work, so that one camera never takes a whole processor.
      const spent = Date.now() - begun;
      await new Promise((done) => { setTimeout(done, Math.max(EVERY_MS - spent, own ? 50 : Math.min(spent, 4000))); });
    }
  }

  async function start() {
    show("");
    if (!window.isSecureContext || !navigator.mediaDevices) { show(WORDS.insecure); return; }
    const reader = await ownReader();
    if (!reader && !place.dataset.read) { show(WORDS.offline); return; }
    open.hidden = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
      });
      stream.getVideoTracks()[0].addEventListener("ended", () => shut(WORDS.gone));
      video.srcObject = stream;
      view.hidden = false;
      says.textContent = WORDS.look;
      await video.play();
      await watch(reader);
    } catch (problem) {
      if (problem.name === "AbortError" && !stream) return; // shut before the picture came
      if (!(problem instanceof Stop) && !WORDS[problem.name]) console.warn(problem);
      shut(problem instanceof Stop ? problem.message : WORDS[problem.name] || WORDS.other);
    }
  }

  open.hidden = false;
  open.addEventListener("click", start);
  close.addEventListener("click", () => { sessionStorage.removeItem(OPENED); shut(); box.focus(); });
  addEventListener("pagehide", () => shut());
  document.addEventListener("visibilitychange", () => { if (document.hidden && stream) shut(); });

  const before = remembered();
  if (before.path === location.pathname && Date.now() - before.at < COMES_BACK_MS) {
    last = { code: before.code, at: Date.now() };
    start();
  }
  sessionStorage.removeItem(OPENED);
}

if (place && box) lookOut();
