namespace GrpcShm.Transport.Calls;

/// <summary>The parts of a <see cref="FrameType.Message"/>.</summary>
[Flags]
internal enum FrameFlags : byte
{
    None = 0,

    /// <summary>The message begins with a block of headers, of a request or of a response.</summary>
    Headers = 1,

    /// <summary>The message ends with a block of trailers.</summary>
    Trailers = 2,

    /// <summary>
    /// The last block of the message goes on in the next message of the call, which begins with a block of the same
    /// kind.
    /// </summary>
    Continues = 4,

    /// <summary>The message is the last of its call from this side.</summary>
    End = 8,

    All = Headers | Trailers | Continues | End,
}
