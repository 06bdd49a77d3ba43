namespace GrpcShm.Transport.Calls;

/// <summary>The types of frames; specified in <c>docs/why/protocol.md</c>, "Frames".</summary>
internal enum FrameType : byte
{
    /// <summary>Memory that nobody has written. Never sent.</summary>
    None = 0,

    /// <summary>Unused bytes up to the end of the ring's memory.</summary>
    Gap = 1,

    /// <summary>Parts of a request or of a response, in the order headers, data, trailers.</summary>
    Message = 2,

    /// <summary>The receiver of a call's data allows so many bytes more.</summary>
    Credit = 3,

    /// <summary>This side sends nothing more for the call, and wants nothing more of it.</summary>
    Reset = 4,

    /// <summary>Asks for a <see cref="Pong"/> with the same number.</summary>
    Ping = 5,

    /// <summary>Answers a <see cref="Ping"/>.</summary>
    Pong = 6,

    /// <summary>From the server: it takes no new calls on this connection; calls under way go on.</summary>
    GoAway = 7,
}
