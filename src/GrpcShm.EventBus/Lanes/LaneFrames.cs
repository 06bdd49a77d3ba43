using System.Buffers;
using System.IO.Pipelines;
using Google.Protobuf;
using GrpcShm.EventBus.Wire;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Lanes;

/// <summary>Frames in the bytes of a lane: each has its length before it, as a varint.</summary>
internal static class LaneFrames
{
    /// <summary>The version of the rules for frames.</summary>
    public const uint Version = 1;

    // Frames of the greeting have a token at most.
    private const int MaxGreeting = 256;
    private const int MaxPrefix = 5;

    /// <summary>Finds the next frame.</summary>
    /// <param name="bytes">What has come. Loses the frame, if there is one.</param>
    /// <param name="most">The most bytes that a frame may have.</param>
    /// <param name="frame">The frame, without its length.</param>
    /// <returns>False if it has not come as a whole.</returns>
    /// <exception cref="LaneException">The length is none, or too large.</exception>
    public static bool TryTake(
        ref ReadOnlySequence<byte> bytes, long most, out ReadOnlySequence<byte> frame)
    {
        frame = default;
        Span<byte> prefix = stackalloc byte[MaxPrefix];
        var count = (int)Math.Min(bytes.Length, MaxPrefix);
        bytes.Slice(0, count).CopyTo(prefix);
        var end = prefix[..count].IndexOfAnyInRange((byte)0, (byte)0x7F) + 1;
        if (end == 0)
        {
            return count < MaxPrefix ? false : throw new LaneException("A frame has no length.");
        }

        var reader = new FieldReader(prefix[..end]);
        if (!reader.TryReadVarint(out var length) || length > (ulong)most)
        {
            throw new LaneException($"A frame has a length that is malformed, or more than {most} bytes.");
        }

        if (bytes.Length - end < (long)length)
        {
            return false;
        }

        frame = bytes.Slice(end, (long)length);
        bytes = bytes.Slice(frame.End);
        return true;
    }

    /// <summary>Writes the length of a frame.</summary>
    public static void WriteLength(ref FieldWriter writer, int length)
    {
        Span<byte> prefix = stackalloc byte[MaxPrefix];
        var count = 0;
        var rest = (uint)length;
        for (; rest >= 0x80; rest >>= 7)
        {
            prefix[count++] = (byte)(rest | 0x80);
        }

        prefix[count++] = (byte)rest;
        writer.Write(prefix[..count]);
    }

    /// <summary>Writes a frame of the greeting.</summary>
    public static async Task WriteAsync(PipeWriter output, LaneFrame frame, CancellationToken cancellationToken)
    {
        var writer = new FieldWriter(output);
        WriteLength(ref writer, frame.CalculateSize());
        writer.Write(frame);
        writer.Flush();
        await output.FlushAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads a frame of the greeting.</summary>
    /// <exception cref="LaneException">It is none, or the connection ends before it.</exception>
    public static async Task<LaneFrame> ReadAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
            var rest = result.Buffer;
            if (TryTake(ref rest, MaxGreeting, out var bytes))
            {
                // A copy: the other process may still change what it has written.
                var frame = bytes.ToArray();
                input.AdvanceTo(rest.Start);
                try
                {
                    return LaneFrame.Parser.ParseFrom(frame);
                }
                catch (InvalidProtocolBufferException exception)
                {
                    throw new LaneException($"The greeting is malformed: {exception.Message}");
                }
            }

            input.AdvanceTo(rest.Start, rest.End);
            if (result.IsCompleted || result.IsCanceled)
            {
                throw new LaneException("The other process ended the connection before its greeting.");
            }
        }
    }
}
