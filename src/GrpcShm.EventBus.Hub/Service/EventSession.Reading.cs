using Grpc.Core;
using GrpcShm.EventBus.Routing;
using GrpcShm.EventBus.Wire;

namespace GrpcShm.EventBus.Service;

// How the messages of the client come in, and what becomes of those that are too large.
internal sealed partial class EventSession
{
    // The reader's own.
    private readonly IncomingParts _parts;

    // The reader writes it before it ends the session by this reason. It is read once the session has ended.
    private bool _isMessageTooLarge;

    // Gives back why the connection was lost; nothing if the client ended its side.
    private async Task<string?> ReadAsync(IAsyncStreamReader<HubSessionRequest> requests, CancellationToken leaving)
    {
        // Commands that have come already must not be carried out before the rest of the session runs: they may take
        // long.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            // When the session has ended, further commands are read and dropped, up to the client's own end.
            while (true)
            {
                // Waits here, and leaves what has come to gRPC: a wait in the reader of gRPC that ends with the
                // connection, or because the hub leaves, is written into the log with a stack trace.
                _lanes.Idleness.Begin();
                var arrived = await _body.ReadAsync(leaving).ConfigureAwait(false);
                _body.AdvanceTo(arrived.Buffer.Start);
                if (!await requests.MoveNext(leaving).ConfigureAwait(false))
                {
                    break;
                }

                _lanes.Idleness.End();

                if (Whole(requests.Current) is { } request)
                {
                    await ExecuteAsync(request).ConfigureAwait(false);
                }
            }

            _life.End(Verdict.Ok);
            return null;
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
            // The session has ended before.
            return null;
        }
        catch (RpcException exception) when (exception.StatusCode == StatusCode.ResourceExhausted)
        {
            await EndByTooLargeMessageAsync(exception).ConfigureAwait(false);
            return null;
        }
        catch (Exception exception)
        {
            var verdict = LostConnection(exception);
            _life.End(verdict);
            return verdict.Message;
        }
        finally
        {
            _parts.Release();
        }
    }

    // A message of the client that has come whole; none if it needs further parts.
    private HubSessionRequest? Whole(HubSessionRequest request)
    {
        if (_parts.IsWhole(request))
        {
            return request;
        }

        if (_life.HasEnded)
        {
            // The reader goes on up to the client's own end: until then nothing may be kept.
            _parts.Release();
            return null;
        }

        var verdict = _parts.Take(request, out var whole);
        if (!verdict.IsOk)
        {
            // Before the client is told: it may send the message again at once.
            _parts.Release();
            _life.End(verdict);
        }

        return whole;
    }

    // The client cannot be told which of its commands is too large, since none of the message could be read. A client
    // that does not know this case sends the message again in its next session, and again: so it is told late, though
    // early enough for a client that counts the sessions that end soon.
    private async Task EndByTooLargeMessageAsync(RpcException exception)
    {
        await ((Task)_life.Ending).WaitAsync(_hub.Options.SessionClosingTime / 2)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        // In this order: the code that ends the writer by this reason reads the mark.
        _isMessageTooLarge = !_life.HasEnded;
        _life.End(Verdict.Exhausted(
            $"A message of the client is too large ({PeerText.Clean(exception.Status.Detail, PeerText.MaxSentence)}). "
            + $"An event may have at most {_hub.Options.MaxEventSize} bytes (MaxEventSize)."));
    }
}
