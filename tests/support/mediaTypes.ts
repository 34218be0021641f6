/** Types of what people upload as pictures, the documented two first, and some that are none. */
export const mediaTypes = [
  ...["image/jpeg", "image/png", "image/jpg", "image/webp", "image/avif", "image/gif", "image/heic", "image/svg+xml"],
  ...["application/octet-stream", "multipart/form-data; boundary=x", "application/json", "application/pdf"],
  ...["application/x-www-form-urlencoded", "text/plain", "text/html; charset=utf-8", "*/*"],
  // Words that every object of JavaScript has.
  ...["constructor", "__proto__"],
];
