// The program of the container: one call, its result, and the end of everything it started.
import { CtypesSession } from 'zugbruecke'

const session = await CtypesSession.start()
const pow = session.cdll.msvcrt.func('double pow(double, double)')
console.log('2 to the 10th, computed by a Windows DLL:', await pow(2, 10))
await session.terminate()
