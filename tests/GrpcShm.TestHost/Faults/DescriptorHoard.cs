using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace GrpcShm.TestHost.Faults;

/// <summary>Takes all descriptors that this process may have, and can give them back.</summary>
internal sealed class DescriptorHoard
{
    // The number of descriptors to take: some systems allow a million, and to open so many takes long.
    private const int Room = 64;

    private readonly List<SafeFileHandle> _taken = [];
    private ulong _before;

    /// <summary>Takes all free descriptors. A second call takes those that became free meanwhile.</summary>
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
            // There are no more descriptors.
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
