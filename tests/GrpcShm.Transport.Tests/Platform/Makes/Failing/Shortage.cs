using System.Runtime.InteropServices;

namespace GrpcShm.Transport.Tests.Platform.Makes.Failing;

/// <summary>
/// Lets one operation fail, as if the system had no handles left, and counts the handles that were given.
/// </summary>
internal sealed class Shortage
{
    private readonly Lock _gate = new();
    private readonly List<SafeHandle> _given = [];
    private int _left;

    /// <summary>Whether the operation that fails has been reached.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>How many of the handles that were given are still open.</summary>
    public int Kept
    {
        get
        {
            lock (_gate)
            {
                return _given.Count(static handle => !handle.IsClosed);
            }
        }
    }

    /// <summary>Lets the operation of this number fail, counted from here.</summary>
    public void FailAt(int operation)
    {
        lock (_gate)
        {
            (_left, HasFailed) = (operation, false);
            _given.Clear();
        }
    }

    public void Count(string operation)
    {
        lock (_gate)
        {
            if (--_left == 0)
            {
                HasFailed = true;
                throw new SharedMemoryResourcesException($"The operation '{operation}' was made to fail.");
            }
        }
    }

    /// <summary>Counts a handle.</summary>
    public T Give<T>(T handle)
        where T : SafeHandle
    {
        lock (_gate)
        {
            _given.Add(handle);
        }

        return handle;
    }
}
