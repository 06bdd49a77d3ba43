using System.Runtime.CompilerServices;
using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport;
using GrpcShm.Transport.Platform;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Authentication;

/// <summary>
/// The names of the users at the other ends of connections. Each connection looks its user up once: the list of users
/// may be on another machine, and a call must not pay for that.
/// </summary>
internal sealed class PeerUserNames(ILoggerFactory loggers)
{
    // A connection does not live longer for being a key. Calls of one connection may ask at the same time: all of them
    // get the lookup that the table took first.
    private readonly ConditionalWeakTable<ISharedMemoryConnectionFeature, Lookup> _lookups = [];
    private readonly ILogger _logger = new UnfailingLogger(loggers.CreateLogger(Log.Category));

    // Callers can cause these lines as often as they like.
    private readonly RepeatedLines _missing = new();

    /// <summary>Asks the system. Tests replace it.</summary>
    public Func<PeerIdentity, string?> Find { get; set; } = static user => TransportPlatform.Current.FindUserName(user);

    /// <summary>The user's name, if it is known already, or the system has none for the user.</summary>
    /// <returns>False if the name has to be waited for.</returns>
    public bool TryGet(ISharedMemoryConnectionFeature connection, out string? name)
    {
        if (_lookups.TryGetValue(connection, out var lookup) && lookup.Name.IsCompletedSuccessfully)
        {
            name = lookup.Name.Result;
            return true;
        }

        name = null;
        return false;
    }

    /// <summary>Looks the name up, or waits for the lookup that runs already.</summary>
    /// <returns>
    /// <see langword="null"/> if the system has no name for the user, or if the name cannot be found now. The log says
    /// why.
    /// </returns>
    /// <exception cref="OperationCanceledException">The call has ended.</exception>
    public async Task<string?> WaitForAsync(
        ISharedMemoryConnectionFeature connection, TimeSpan timeout, TimeProvider time, CancellationToken aborted)
    {
        var user = connection.Peer.User;
        var lookup = _lookups.GetValue(connection, static _ => new Lookup());
        lookup.Start(Find, user);
        try
        {
            return await lookup.Name.WaitAsync(timeout, time, aborted).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!lookup.Name.IsFaulted)
        {
            if (lookup.Name.IsCompletedSuccessfully)
            {
                return await lookup.Name.ConfigureAwait(false);
            }

            if (MayLog())
            {
                Log.UserNameLate(_logger, user, timeout);
            }
        }
        catch (Exception exception)
            when (exception is not OperationCanceledException || !aborted.IsCancellationRequested)
        {
            // The next call asks again. Two calls may come here for the same failure. The second one may then remove a
            // lookup that a third call has just begun: the system is asked once more, and that is all.
            _lookups.Remove(connection);
            if (MayLog())
            {
                Log.UserNameFailed(_logger, user, exception);
            }
        }

        return null;
    }

    private bool MayLog()
    {
        if (!_missing.Next(out var leftOut))
        {
            return false;
        }

        if (leftOut > 0)
        {
            Log.MoreUserNamesMissing(_logger, leftOut);
        }

        return true;
    }

    /// <summary>
    /// One lookup. It runs on the thread pool, since it may block, and the thread of the call may be a reactor's.
    /// </summary>
    private sealed class Lookup
    {
        private readonly TaskCompletionSource<string?> _name = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _isStarted;

        public Task<string?> Name => _name.Task;

        public void Start(Func<PeerIdentity, string?> find, PeerIdentity user)
        {
            if (Interlocked.Exchange(ref _isStarted, 1) != 0)
            {
                return;
            }

            ThreadPool.UnsafeQueueUserWorkItem(
                static state =>
                {
                    try
                    {
                        state._name.SetResult(state.find(state.user));
                    }
                    catch (Exception exception)
                    {
                        // Whoever waits for the name gets it. It may be that nobody does any more.
                        state._name.SetException(exception);
                        _ = state._name.Task.Exception;
                    }
                },
                (_name, find, user),
                preferLocal: false);
        }
    }
}
