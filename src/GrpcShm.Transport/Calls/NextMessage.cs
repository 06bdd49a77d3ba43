namespace GrpcShm.Transport.Calls;

/// <summary>
/// The parts of a call that go in its next message: as much as one frame has room for. Headers go first, then data as
/// far as there is credit, and trailers and the end behind the last data.
/// </summary>
internal readonly ref struct NextMessage
{
    /// <param name="headers">The headers, of which a part may have been sent.</param>
    /// <param name="data">The first piece of the data.</param>
    /// <param name="remaining">How many bytes of data there are in all.</param>
    /// <param name="trailers">The trailers, if no more data will be written; else <see langword="null"/>.</param>
    /// <param name="credit">How many bytes of data may be sent.</param>
    /// <param name="room">How many bytes a frame has room for.</param>
    public NextMessage(
        HeaderBlock headers, ReadOnlySpan<byte> data, long remaining, HeaderBlock? trailers, int credit, int room)
    {
        if (headers.IsPending)
        {
            Flags = FrameFlags.Headers;
            Headers = headers.Rest;
            if (Headers.Length > room)
            {
                // The rest of the headers goes first.
                Flags |= FrameFlags.Continues;
                Headers = Headers[..room];
                return;
            }
        }

        Data = data[..Math.Min(data.Length, Math.Min(credit, room - Headers.Length))];
        if (trailers is null || Data.Length < remaining)
        {
            return;
        }

        Trailers = trailers.Rest;
        Flags |= trailers.IsPending ? FrameFlags.Trailers : FrameFlags.None;
        var rest = room - Headers.Length - Data.Length;
        if (Trailers.Length <= rest)
        {
            Flags |= FrameFlags.End;
        }
        else
        {
            Flags |= FrameFlags.Continues;
            Trailers = Trailers[..rest];
        }
    }

    public FrameFlags Flags { get; }

    public ReadOnlySpan<byte> Headers { get; }

    public ReadOnlySpan<byte> Data { get; }

    public ReadOnlySpan<byte> Trailers { get; }

    /// <summary>Whether there is nothing to be sent, or nothing that may be sent now.</summary>
    public bool IsEmpty => Flags == FrameFlags.None && Data.IsEmpty;
}
