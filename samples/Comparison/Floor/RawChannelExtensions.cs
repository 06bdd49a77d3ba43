using System.Runtime.InteropServices;

namespace GrpcShm.Samples.Comparison.Floor;

internal static class RawChannelExtensions
{
    /// <summary>Fills the destination; false if the peer ended before the first byte.</summary>
    public static bool ReadExactly(this IRawChannel channel, Span<byte> destination)
    {
        for (var read = 0; read < destination.Length;)
        {
            var count = channel.Read(destination[read..]);
            if (count == 0)
            {
                return read == 0
                    ? false
                    : throw new EndOfStreamException("The peer closed the connection in the middle of a message.");
            }

            read += count;
        }

        return true;
    }

    public static void Order(this IRawChannel channel, long roundTrips, long bytes)
    {
        var order = new RawOrder { RoundTrips = roundTrips, Bytes = bytes };
        channel.Write(MemoryMarshal.AsBytes(new ReadOnlySpan<RawOrder>(in order)));
    }
}
