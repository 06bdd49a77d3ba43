using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Kestrel's time limits. Over HTTP/2 it ends the connection for them; here the call alone ends. And there it times a response only if
/// the window of the whole connection is used up, which direct mode does not have: here each call is timed that nobody reads.
/// </summary>
internal abstract partial class ServerCall : IHttpMinRequestBodyDataRateFeature
{
    private bool _isUntimed;

    // As over HTTP/2.
    MinDataRate? IHttpMinRequestBodyDataRateFeature.MinDataRate
    {
        get => throw CreateRateException();
        set
        {
            if (value is not null)
            {
                throw CreateRateException();
            }

            Volatile.Write(ref _isUntimed, true);
        }
    }

    public bool IsInputTimed => !Volatile.Read(ref _isUntimed);

    public void OnOverdue(Overdue overdue, uint id)
    {
        // Else it could serve another call before this is done with it.
        if (!TryUse())
        {
            return;
        }

        var reason = overdue switch
        {
            Overdue.Block =>
                $"Its headers or trailers were not whole within {Limits.RequestHeadersTimeout} (RequestHeadersTimeout).",
            Overdue.Data =>
                $"Its data came with less than {Limits.MinRequestBodyDataRate?.BytesPerSecond} bytes per second (MinRequestBodyDataRate).",
            _ =>
                $"Its response was read with less than {Limits.MinResponseDataRate?.BytesPerSecond} bytes per second (MinResponseDataRate).",
        };
        if (overdue == Overdue.Block)
        {
            // If it is another by now, the one meant has ended.
            if (CallStream.Id == id)
            {
                LogOverdue(reason);
            }
        }
        else if (CallStream.IsUnderWay(id))
        {
            // The peer last: its answer must not be quicker to say why.
            LogOverdue(reason);
            AbortRequest(RequestFailures.Aborted(new ConnectionAbortedException(reason)));
            CallStream.Reset(CallError.Internal);
        }

        LetGo();
    }

    // Not by what the application may have set, which is the handler's.
    private void LogOverdue(string reason) =>
        Log.RequestOverdue(Connection.Application.Logger, Connection.ConnectionId, FormatIdentifier(), reason);

    private static NotSupportedException CreateRateException() => new(
        "This feature is not supported for HTTP/2 and HTTP/3 requests except to disable it entirely by setting the rate to null.");
}
