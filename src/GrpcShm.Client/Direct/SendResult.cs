namespace GrpcShm.Client.Direct;

/// <summary>What became of a call that was to be sent in direct mode.</summary>
internal enum SendResult
{
    /// <summary>The call is on its way, and will learn of its response or failure.</summary>
    Sent,

    /// <summary>No connection takes calls, or none has room.</summary>
    NoConnection,

    /// <summary>Direct mode does not carry such a call.</summary>
    NotCarried,

    /// <summary>The server has no direct mode.</summary>
    NoDirectMode,
}
