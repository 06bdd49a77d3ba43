using Grpc.Core;
using Polly;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Client;

/// <summary>
/// Makes the sessions of a client, one after the other: opens each, and makes it know the client again before anything
/// else is written. Run by the client's link alone, one attempt at a time.
/// </summary>
internal sealed class SessionMaker(
    Contract.EventBusClient contract,
    ResiliencePipeline pipeline,
    OpenSession opening,
    CommandQueue queue,
    CurrentSession session,
    ClientSubscriptions subscriptions,
    ClientWaits waits,
    CommandAnswers answers,
    ISessionEvents events)
{
    private static readonly TimeSpan AttemptTime = TimeSpan.FromSeconds(10);

    private Exception? _lastFailure;

    /// <summary>
    /// Why the last attempt failed, if one has. Read by whoever has given up waiting, while the next attempt runs.
    /// </summary>
    public Exception? LastFailure => Volatile.Read(ref _lastFailure);

    /// <summary>Makes a session, in as many attempts as the pipeline allows.</summary>
    /// <param name="unanswered">
    /// What the session before left unanswered: it is sent again, before everything new.
    /// </param>
    /// <param name="stopping">Gives up.</param>
    public async Task<SessionLink> ConnectAsync(List<PendingCommand> unanswered, CancellationToken stopping)
    {
        // Whatever an attempt leaves behind goes into the next one.
        var left = unanswered;
        return await pipeline.ExecuteAsync(
            async cancellationToken =>
            {
                var link = new SessionLink(contract, queue, events);
                try
                {
                    link.StartReading();
                    await link.Opened.WaitAsync(AttemptTime, cancellationToken).ConfigureAwait(false);
                    var restoring = Restore();
                    queue.PutInFront(restoring.Concat(left));
                    left = [];
                    session.Link = link;
                    link.StartWriting();
                    var restored = SettleAsync(restoring);
                    await Task.WhenAny(restored, link.Ended).WaitAsync(cancellationToken).ConfigureAwait(false);
                    return link;
                }
                catch (Exception exception)
                {
                    Volatile.Write(ref _lastFailure, exception);
                    link.End(exception);

                    // Before the session stood these are the commands as they were, afterwards what it took of them.
                    left = [.. await TakeOverAsync(link).ConfigureAwait(false), .. left];
                    throw;
                }
            },
            stopping).ConfigureAwait(false);
    }

    /// <summary>
    /// Takes what a lost session leaves: requests fail, for they may have been handled; all else is sent again.
    /// </summary>
    public async Task<List<PendingCommand>> TakeOverAsync(SessionLink link)
    {
        var repeated = new List<PendingCommand>();
        foreach (var command in await link.TakeUnansweredAsync().ConfigureAwait(false))
        {
            if (command.IsRestoring)
            {
                command.TrySetResult(null);
            }
            else if (command.MayRepeat)
            {
                command.IsRepeated = true;
                repeated.Add(command);
            }
            else
            {
                answers.Fail(command, new EventBusException(
                    StatusCode.Unavailable,
                    "The connection was lost before the reply came. The request may have been handled.",
                    command.Command.Send?.Target));
            }
        }

        return repeated;
    }

    // Whether each has succeeded is told to its own listeners.
    private static async Task SettleAsync(List<PendingCommand> commands) =>
        await Task.WhenAll(commands.Select(command => (Task)command.Task))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private static PendingCommand Restoring(SessionCommand command) =>
        new(command, PendingCommand.Overhead) { IsRestoring = true };

    // The commands that make the hub know this client again.
    private List<PendingCommand> Restore() =>
    [
        Restoring(new SessionCommand { Open = opening.Clone() }),
        .. subscriptions.Restore(),
        .. waits.Told().Select(static wait => Restoring(new SessionCommand { BeginWait = wait })),
    ];
}
