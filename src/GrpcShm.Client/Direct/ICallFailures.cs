using GrpcShm.Transport.Calls;

namespace GrpcShm.Client.Direct;

/// <summary>Makes the exceptions for failures of calls and connections, in the terms of whoever makes calls.</summary>
internal interface ICallFailures
{
    /// <summary>The server has reset the call.</summary>
    Exception Reset(CallError error, string message);

    /// <summary>There is no connection.</summary>
    Exception Connecting(Exception cause);

    /// <summary>There will be no connection any more, since the connections have been disposed of.</summary>
    Exception Disposed();
}
