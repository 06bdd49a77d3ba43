using GrpcShm.FaultInjection.Planning;

namespace GrpcShm.FaultInjection.Reporting;

/// <summary>All failures, and the times until deaths were noticed.</summary>
internal sealed class Findings
{
    public int Kills { get; private set; }

    public int Hangs { get; private set; }

    public int WrongStatus { get; private set; }

    public int Refused { get; private set; }

    public int Missed { get; private set; }

    public int LeakedFds { get; private set; }

    public long LeakedBytes { get; private set; }

    public int LeakedThreads { get; private set; }

    public TimeSpan MaxDetect { get; private set; }

    /// <summary>The failures, in words.</summary>
    public List<string> Lines { get; } = [];

    public void Died() => Kills++;

    /// <summary>The other side has noticed everything.</summary>
    public void Noticed(Fault fault, TimeSpan after, TimeSpan limit)
    {
        MaxDetect = after > MaxDetect ? after : MaxDetect;
        if (after > limit)
        {
            Hang(fault, $"noticed after {after.TotalMilliseconds:F0} ms");
        }
    }

    public void Hang(Fault fault, string what)
    {
        Hangs++;
        Add(fault, $"hangs: {what}");
    }

    public void Wrong(Fault fault, string what)
    {
        WrongStatus++;
        Add(fault, $"wrong status: {what}");
    }

    /// <summary>Another client was not served, or a successor did not serve.</summary>
    public void NotServed(Fault fault, string what) => NotServed($"{what}, at {fault}");

    /// <inheritdoc cref="NotServed(Fault, string)"/>
    public void NotServed(string what)
    {
        Refused++;
        Lines.Add($"not served {what}");
    }

    /// <summary>A victim did not come to its step, so this fault was not tried.</summary>
    public void NotReached(Fault fault, string what)
    {
        Missed++;
        Add(fault, $"step not reached: {what}");
    }

    /// <summary>Something stayed behind.</summary>
    public void Leaked(Fault fault, string where, Footprint leaked)
    {
        LeakedFds += leaked.Descriptors;
        LeakedBytes += leaked.SharedBytes;
        LeakedThreads += leaked.Threads;
        Add(fault, $"left behind on the {where}: {leaked}");
    }

    public void LeakedMemory(string where, long bytes)
    {
        LeakedBytes += bytes;
        Lines.Add($"left behind on the {where}: {bytes:N0} bytes");
    }

    private void Add(Fault fault, string what) => Lines.Add($"{fault}: {what}");
}
