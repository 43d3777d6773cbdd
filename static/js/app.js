// The page's behaviour, one small module each. Every page works without them.
import "./times.js";
import "./forms.js";
import "./live.js";
import "./board.js";
