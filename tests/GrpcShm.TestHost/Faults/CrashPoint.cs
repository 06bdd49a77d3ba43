using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.TestHost.Faults;

/// <summary>Ends or freezes this process when it has reached a step the given number of times.</summary>
internal sealed partial class CrashPoint(FaultStep step, int times, CrashAction action)
{
    private const int StandardOutput = 1;
    private const int KillSignal = 9;
    private const int StopSignal = 19;

    private int _left = times;

    /// <summary>For <see cref="FaultPoint.Reached"/>.</summary>
    public void Reached(FaultStep reached)
    {
        if (reached != step || Interlocked.Decrement(ref _left) != 0)
        {
            return;
        }

        // This writes by the system call, since a thread that never goes on may hold a lock of the console. The time is
        // taken before the signal, so the measured time is rather too long than too short.
        var words = Encoding.ASCII.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"{HostMessage.Dying}{step} {Stopwatch.GetTimestamp()}\n"));
        if (Write(StandardOutput, words, words.Length) == words.Length)
        {
            _ = Kill(Environment.ProcessId, action == CrashAction.Kill ? KillSignal : StopSignal);
        }
    }

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, byte[] bytes, nint count);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
