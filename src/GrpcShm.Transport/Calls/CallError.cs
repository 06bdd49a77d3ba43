namespace GrpcShm.Transport.Calls;

/// <summary>
/// Why a call was reset. The numbers are those of HTTP/2 (RFC 9113, section 7) where it has one for it.
/// </summary>
internal enum CallError : uint
{
    /// <summary>Nothing went wrong; what would still come is of no interest.</summary>
    None = 0x0,

    /// <summary>The other side broke a rule of the protocol.</summary>
    Protocol = 0x1,

    /// <summary>Something failed on this side.</summary>
    Internal = 0x2,

    /// <summary>The call was not begun, so it may be tried again, on another connection.</summary>
    Refused = 0x7,

    /// <summary>The call is of no more interest.</summary>
    Cancelled = 0x8,

    /// <summary>Too much of something: headers, calls at once.</summary>
    TooMuch = 0xb,
}
