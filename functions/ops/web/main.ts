import "uplot/dist/uPlot.min.css";
import "./console.css";
import { watchActivity } from "./session.ts";
import "./sign-in.ts";
import "./shell.ts";

watchActivity();
