export const ACKNOWLEDGEMENT = Buffer.from(
  '{"result":{"resultCode":"SUCCESS","resultStatus":"S","resultMessage":"success"}}',
);
export const port = Number(process.env['PORT']);
