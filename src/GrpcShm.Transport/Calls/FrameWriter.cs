using System.Runtime.InteropServices;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Calls;

/// <summary>Puts frames into the ring, each in one piece. Any number of threads at once.</summary>
internal sealed class FrameWriter
{
    // A frame is copied into the ring in one step, and the frames behind it are published after it.
    private const int MaxFrameSize = 32 * 1024;

    private readonly FrameSendingEnd _ring;
    private readonly bool _hasChecksums;

    public FrameWriter(FrameSendingEnd ring, bool hasChecksums)
    {
        _ring = ring;
        _hasChecksums = hasChecksums;
        MaxFrame = Math.Min(ring.MaxFrame, MaxFrameSize);
    }

    /// <summary>The largest frame: half a ring, or less, so that one sender does not hold up the others.</summary>
    public int MaxFrame { get; }

    /// <inheritdoc cref="FrameSendingEnd.Published"/>
    public long Published => _ring.Published;

    /// <inheritdoc cref="FrameSendingEnd.Taken"/>
    public long Taken => _ring.Taken;

    /// <summary>Makes the header of a frame that consists of the header alone.</summary>
    public static FrameHeader CreateHeader(FrameType type, uint call, ulong argument) =>
        new() { Length = FrameHeader.Size, Type = type, Call = call, Argument = argument };

    /// <summary>Whether there is room for a frame of so many bytes. The answer may change at any time.</summary>
    public bool HasRoom(int size) => _ring.HasRoom(size);

    /// <inheritdoc cref="FrameSendingEnd.AnnounceWait"/>
    public void AnnounceWait() => _ring.AnnounceWait();

    /// <summary>Puts a frame into the ring, if there is room for it.</summary>
    /// <param name="header">The frame's header, with the lengths of the pieces.</param>
    /// <param name="headers">The block of headers.</param>
    /// <param name="data">The data.</param>
    /// <param name="trailers">The block of trailers.</param>
    /// <param name="isQuiet">Whether a peer that sleeps may be woken later.</param>
    /// <returns>Whether there was room.</returns>
    /// <exception cref="SharedMemoryProtocolException">The peer broke a rule.</exception>
    public bool TryPut(
        in FrameHeader header,
        ReadOnlySpan<byte> headers,
        ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> trailers,
        bool isQuiet = false)
    {
        if (!_ring.TryClaim((int)header.Length, out var claim))
        {
            return false;
        }

        if (claim.Gap > 0)
        {
            PutGap(_ring.GapOf(claim));
        }

        var frame = _ring.SpanOf(claim);
        var checkedHeader = header;
        checkedHeader.Checksum = _hasChecksums ? FrameChecksum.Compute(header, headers, data, trailers) : 0;
        MemoryMarshal.Write(frame, checkedHeader);
        frame = frame[FrameHeader.Size..];
        headers.CopyTo(frame);
        data.CopyTo(frame[headers.Length..]);
        trailers.CopyTo(frame[(headers.Length + data.Length)..]);
        if (FaultPoint.IsEnabled && header.Has(FrameFlags.End))
        {
            FaultPoint.Reach(FaultStep.HalfClosing);
        }

        _ring.Commit(claim, isQuiet);
        if (FaultPoint.IsEnabled && header.Has(FrameFlags.End))
        {
            FaultPoint.Reach(FaultStep.HalfClosed);
        }

        return true;
    }

    private void PutGap(Span<byte> gap)
    {
        var header = CreateHeader(FrameType.Gap, 0, 0);
        header.Length = (uint)gap.Length;
        if (_hasChecksums)
        {
            gap[FrameHeader.Size..].Clear();
            header.Checksum = FrameChecksum.Compute(header, gap[FrameHeader.Size..]);
        }

        MemoryMarshal.Write(gap, header);
    }
}
