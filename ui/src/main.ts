import { mount } from "svelte";
import "./app.css";
import App from "./App.svelte";
import { Client, connect } from "./lib/api";

const target = document.getElementById("app");
if (target) {
  try {
    const api = await connect();
    mount(App, { target, props: { client: new Client(api), opening: await api.opening() } });
  } catch (thrown) {
    target.textContent = String(thrown);
  }
}
