namespace GrpcShm.Transport.Calls;

/// <summary>What a <see cref="FrameType.Message"/> has.</summary>
[Flags]
internal enum FrameFlags : byte
{
    None = 0,

    /// <summary>It begins with a block of headers: a request's, or a response's.</summary>
    Headers = 1,

    /// <summary>It ends with a block of trailers.</summary>
    Trailers = 2,

    /// <summary>
    /// Its last block goes on in the next message of the call, which begins with a block of the same kind.
    /// </summary>
    Continues = 4,

    /// <summary>It is the last of its call from this side.</summary>
    End = 8,

    All = Headers | Trailers | Continues | End,
}
