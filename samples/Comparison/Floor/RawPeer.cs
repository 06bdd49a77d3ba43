using System.Runtime.InteropServices;

namespace GrpcShm.Samples.Comparison.Floor;

/// <summary>The other process: it carries out orders until the connection ends.</summary>
internal static class RawPeer
{
    public const string Ready = "ready";

    /// <summary>The line that wakes a resting peer.</summary>
    public const string WakeRequest = "wake";

    public const int BlockSize = 64 * 1024;

    /// <summary>
    /// Serves one connection. Ends the process when its standard input ends, since then the parent has ended.
    /// </summary>
    public static void Run(IRawTransport transport, string address)
    {
        using var woken = new SemaphoreSlim(0);
        ExitWithParent(woken);
        using var channel = transport.Accept(address, () => Console.Out.WriteLine(Ready));
        var buffer = new byte[BlockSize];
        var order = default(RawOrder);
        while (channel.ReadExactly(MemoryMarshal.AsBytes(new Span<RawOrder>(ref order))))
        {
            if (order.RoundTrips > 0)
            {
                Echo(channel, buffer.AsSpan(0, (int)order.Bytes), order.RoundTrips);
            }
            else if (order.Bytes > 0)
            {
                Absorb(channel, buffer, order.Bytes);
            }
            else
            {
                // A peer that checks for its next order, however seldom, takes a processor away from the current
                // measurement.
                woken.Wait();
            }
        }
    }

    private static void Echo(IRawChannel channel, Span<byte> message, long roundTrips)
    {
        for (long i = 0; i < roundTrips; i++)
        {
            channel.ReadExactly(message);
            channel.Write(message);
        }
    }

    private static void Absorb(IRawChannel channel, Span<byte> buffer, long bytes)
    {
        for (long left = bytes; left > 0;)
        {
            var count = channel.Read(buffer[..(int)Math.Min(left, buffer.Length)]);
            left -= count > 0
                ? count
                : throw new EndOfStreamException("The sender closed the connection before it had sent all bytes.");
        }

        channel.Write([1]);
    }

    /// <summary>
    /// A raw transport may spin or sleep for ever, but this pipe ends whatever happens to the parent. A line in it
    /// wakes a resting peer.
    /// </summary>
    private static void ExitWithParent(SemaphoreSlim woken) => new Thread(() =>
    {
        while (Console.In.ReadLine() is not null)
        {
            woken.Release();
        }

        Environment.Exit(0);
    })
    { IsBackground = true }.Start();
}
