using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace GrpcShm.TestHost.Faults;

/// <summary>Takes all descriptors that this process may have, until it gives them back.</summary>
internal sealed class DescriptorHoard
{
    // Room to take: to open a million files, which is what some systems allow, takes its time.
    private const int Room = 64;

    private readonly List<SafeFileHandle> _taken = [];
    private ulong _before;

    /// <summary>Takes them; a second time, what others have given back meanwhile.</summary>
    public void Take()
    {
        if (_taken.Count == 0)
        {
            _before = ResourceLimits.Get(ResourceLimits.Descriptors);
            ResourceLimits.Set(
                ResourceLimits.Descriptors,
                (ulong)(Directory.GetFiles("/proc/self/fd").Select(HighestOf).Max() + Room));
        }

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
        ResourceLimits.Set(ResourceLimits.Descriptors, _before);
    }

    private static int HighestOf(string path) =>
        int.Parse(Path.GetFileName(path), CultureInfo.InvariantCulture);
}
