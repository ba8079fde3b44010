export { fileLog } from './file-log.js';
