declare module 'write-file-atomic' {
  /** Writes under another name first, so that nobody ever sees half a file. */
  export default function writeFileAtomic(file: string, text: string): Promise<void>
}
