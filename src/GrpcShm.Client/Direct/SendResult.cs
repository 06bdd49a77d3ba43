namespace GrpcShm.Client.Direct;

/// <summary>What has become of a request that a connection in direct mode was asked to take.</summary>
internal enum SendResult
{
    /// <summary>It is on its way; what comes of it is told to the request.</summary>
    Sent,

    /// <summary>There is no connection that takes calls, or none has room.</summary>
    NoConnection,

    /// <summary>It is none that direct mode carries.</summary>
    NotCarried,

    /// <summary>The server has no direct mode.</summary>
    NoDirectMode,
}
