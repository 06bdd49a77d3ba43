namespace GrpcShm.Transport.Calls;

/// <summary>
/// Why a call was reset. The numbers are those of HTTP/2 (RFC 9113, section 7), as far as HTTP/2 has them.
/// </summary>
internal enum CallError : uint
{
    /// <summary>Nothing went wrong; the rest of the call is not wanted.</summary>
    None = 0x0,

    /// <summary>The other side broke a rule of the protocol.</summary>
    Protocol = 0x1,

    /// <summary>Something failed on this side.</summary>
    Internal = 0x2,

    /// <summary>The call was not begun, so it may be tried again, on another connection.</summary>
    Refused = 0x7,

    /// <summary>The call is not wanted any more.</summary>
    Cancelled = 0x8,

    /// <summary>There is too much of something: headers, or calls at once.</summary>
    TooMuch = 0xb,
}
