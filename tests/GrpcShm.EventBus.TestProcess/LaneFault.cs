using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using GrpcShm.EventBus.Lanes;

namespace GrpcShm.EventBus.TestProcess;

/// <summary>Sends a process a signal when this process has come to a step of a lane's life so many times.</summary>
internal sealed partial class LaneFault(LaneStep step, int times, int process, int signal)
{
    /// <summary>The first word of the line that it writes when it is there.</summary>
    public const string There = "there";

    private const int StandardOutput = 1;
    private int _left = times;

    /// <summary>Executes <c>fault STEP TIMES PROCESS SIGNAL</c>, and answers when it is in force.</summary>
    /// <returns>False if the line is something else.</returns>
    public static bool TryExecute(string line)
    {
        if (line.Split(' ') is not ["fault", var step, var times, var process, var signal])
        {
            return false;
        }

        if (!LaneFaultPoint.IsEnabled)
        {
            throw new InvalidOperationException(
                $"The run-time configuration does not have '{LaneFaultPoint.Switch}'.");
        }

        LaneFaultPoint.Reached = new LaneFault(
            Enum.Parse<LaneStep>(step), Number(times), Number(process), Number(signal)).Reach;
        Console.WriteLine("armed");
        return true;
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private void Reach(LaneStep reached)
    {
        if (reached != step || Interlocked.Decrement(ref _left) != 0)
        {
            return;
        }

        // By the system call: a thread that never goes on may hold a lock of the console.
        var line = Encoding.ASCII.GetBytes($"{There}\n");
        if (Write(StandardOutput, line, line.Length) == line.Length)
        {
            _ = Kill(process, signal);
        }
    }

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(int descriptor, byte[] bytes, nint count);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
