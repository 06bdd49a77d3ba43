using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Direct;

/// <summary>
/// Makes the exceptions that callers get, in the terms of the code that makes calls (HTTP's, say).
/// </summary>
internal interface ICallFailures
{
    /// <summary>For a call that the server has reset.</summary>
    Exception CreateReset(CallError error, string message);

    /// <summary>For a call whose connection could not be made.</summary>
    Exception CreateConnecting(IPendingCall pending, Exception cause);

    /// <summary>For a channel that has been disposed, so that no connection will be made any more.</summary>
    Exception CreateDisposed();
}
