using System.Runtime.InteropServices;

namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>The next order of the measuring process to its peer, sent as it is in memory.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct RawOrder
{
    /// <summary>
    /// The number of messages to send back, one by one. With 0, the peer receives all bytes and confirms the last one;
    /// if there are no bytes either, it rests until it is woken.
    /// </summary>
    public long RoundTrips;

    /// <summary>The size of each message, or the number of all bytes.</summary>
    public long Bytes;
}
