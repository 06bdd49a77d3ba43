using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace GrpcShm.TestHost.Faults;

/// <summary>Takes all descriptors that this process may have, until it gives them back.</summary>
internal sealed partial class DescriptorHoard
{
    private const int NumberOfFiles = 7;

    // Room to take: to open a million files, which is what some systems allow, takes its time.
    private const int Room = 64;

    private readonly List<SafeFileHandle> _taken = [];
    private Limit _before;

    public void Take()
    {
        _before = Get();
        Set(_before with { Soft = (ulong)(Directory.GetFiles("/proc/self/fd").Select(HighestOf).Max() + Room) });
        try
        {
            while (true)
            {
                _taken.Add(File.OpenHandle("/dev/null"));
            }
        }
        catch (IOException)
        {
            // There are no more.
        }
    }

    public void Give()
    {
        _taken.ForEach(handle => handle.Dispose());
        _taken.Clear();
        Set(_before);
    }

    private static int HighestOf(string path) =>
        int.Parse(Path.GetFileName(path), System.Globalization.CultureInfo.InvariantCulture);

    private static unsafe Limit Get()
    {
        Limit limit;
        Check(ProcessLimit(0, NumberOfFiles, null, &limit));
        return limit;
    }

    private static unsafe void Set(Limit limit) => Check(ProcessLimit(0, NumberOfFiles, &limit, null));

    private static void Check(int result)
    {
        if (result != 0)
        {
            throw new InvalidOperationException(Marshal.GetLastPInvokeErrorMessage());
        }
    }

    [LibraryImport("libc", EntryPoint = "prlimit", SetLastError = true)]
    private static unsafe partial int ProcessLimit(int process, int resource, Limit* now, Limit* before);

    [StructLayout(LayoutKind.Sequential)]
    private record struct Limit(ulong Soft, ulong Hard);
}
