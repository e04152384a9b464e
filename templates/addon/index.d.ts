// The native functions; what index.js has beside them is declared here.
export * from './addon';
