using System.Runtime.InteropServices;

namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>What the measuring process tells its peer to do next, sent as it lies in memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RawOrder
{
    /// <summary>
    /// Send back so many messages, one by one; or, at zero, take all bytes and confirm the last; or, if there are none
    /// of either, rest until woken.
    /// </summary>
    public long RoundTrips;

    /// <summary>The size of each message, or of everything together.</summary>
    public long Bytes;
}
