using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Abstractions;
using Microsoft.AspNetCore.Http;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>A call that is served by the application of the host, whose contexts are pooled with it.</summary>
internal sealed class ServerCall<TContext>(ServerConnection connection, IHttpApplication<TContext> application)
    : ServerCall(connection), IHostContextContainer<TContext>
    where TContext : notnull
{
    TContext? IHostContextContainer<TContext>.HostContext { get; set; }

    protected override async Task RunAsync()
    {
        var context = default(TContext);
        var hasContext = false;
        var isHeard = false;
        try
        {
            try
            {
                CheckHeaders();
                DecodeHeaders();
                context = application.CreateContext(this);
                hasContext = true;
                isHeard = TellStarted();
                await application.ProcessRequestAsync(context).ConfigureAwait(false);
                await FinishAsync().ConfigureAwait(false);
            }
            catch (BadHttpRequestException exception)
            {
                Connection.Refused(exception.Message);
                SetFailure(exception);
            }
            catch (MalformedCallException exception) when (!hasContext)
            {
                Connection.Refused(exception.Message);
                AbortRequest(RequestFailures.Refused(exception.Message));
                CallStream.Reset(exception.Error);
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException && IsRequestAborted)
            {
                // What was to be expected, and no failure of the application: so Kestrel has it, and whoever is told of failures.
            }
            catch (Exception exception)
            {
                if (!IsRequestAborted)
                {
                    Log.ApplicationFailed(Connection.Application.Logger, Connection.ConnectionId, TraceIdentifier, exception);
                }

                SetFailure(exception);
            }

            StopBodies();
            try
            {
                if (IsRequestAborted)
                {
                    SetAborted();
                }
                else if (EndResponse() is { } mistake)
                {
                    // Nobody is there any more to whom it could be thrown.
                    Log.ApplicationFailed(Connection.Application.Logger, Connection.ConnectionId, TraceIdentifier, mistake);
                }
            }
            catch (Exception exception)
            {
                // Trailers that cannot be sent. Whoever waits for them has to learn that none will come.
                SetFailure(exception);
                Log.ApplicationFailed(Connection.Application.Logger, Connection.ConnectionId, TraceIdentifier, exception);
                BreakOff();
            }

            await RunCompletedCallbacksAsync().ConfigureAwait(false);
            if (isHeard)
            {
                TellStopped();
            }

            if (hasContext)
            {
                try
                {
                    application.DisposeContext(context!, Failure);
                }
                catch (Exception exception)
                {
                    Log.ApplicationFailed(Connection.Application.Logger, Connection.ConnectionId, TraceIdentifier, exception);
                }
            }
        }
        finally
        {
            Leave();
        }
    }
}
