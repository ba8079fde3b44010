export { FileSource, Folder } from './file-source.js';
