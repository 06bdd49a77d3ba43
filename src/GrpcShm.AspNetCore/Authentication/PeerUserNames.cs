using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport;
using GrpcShm.Transport.Platform;
using Microsoft.Extensions.Logging;

namespace GrpcShm.AspNetCore.Authentication;

/// <summary>
/// The names of the users at the other ends of connections. Each connection looks its user up once: the list of users
/// may be on another machine, and a call must not pay for that. If that machine does not answer, a user has one thread
/// that waits for it, however many connections the user makes.
/// </summary>
internal sealed class PeerUserNames(ILoggerFactory loggers)
{
    // A connection does not live longer for being a key. Calls of one connection may ask at the same time: all of them
    // get the lookup that the table took first. Connections of one user share a lookup while it runs.
    private readonly ConditionalWeakTable<ISharedMemoryConnectionFeature, Lookup> _lookups = [];
    private readonly ConcurrentDictionary<PeerIdentity, Lookup> _running = new();
    private readonly ILogger _logger = new UnfailingLogger(loggers.CreateLogger(Log.Category));

    // Callers can cause these lines as often as they like.
    private readonly RepeatedLines _missing = new();

    /// <summary>Asks the system. Tests replace it.</summary>
    public Func<PeerIdentity, string?> Find { get; set; } = static user => TransportPlatform.Current.FindUserName(user);

    /// <summary>The user's name, if it is known already, or the system has none for the user.</summary>
    /// <returns>False if the name has to be waited for.</returns>
    public bool TryGet(ISharedMemoryConnectionFeature connection, out string? name)
    {
        if (_lookups.TryGetValue(connection, out var lookup)
            && lookup.Name is { IsCompletedSuccessfully: true } found)
        {
            name = found.Result;
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
        var lookup = _lookups.GetValue(
            connection, _ => _running.GetOrAdd(user, static (user, names) => new Lookup(names, user), this));
        try
        {
            // After one call has waited for the whole time, the next ones do not wait.
            var left = lookup.IsLate ? TimeSpan.Zero : timeout;
            return await lookup.Name.WaitAsync(left, time, aborted).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!lookup.Name.IsFaulted)
        {
            lookup.IsLate = true;
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

    /// <summary>One lookup, for all connections of a user that ask while it runs.</summary>
    private sealed class Lookup
    {
        private readonly Lazy<Task<string?>> _name;
        private bool _isLate;

        public Lookup(PeerUserNames names, PeerIdentity user) => _name = new(() => Start(names, user));

        public Task<string?> Name => _name.Value;

        /// <summary>
        /// Whether a call has waited in vain. It only makes the next wait shorter, so nothing depends on when a write
        /// is seen.
        /// </summary>
        public bool IsLate
        {
            get => Volatile.Read(ref _isLate);
            set => Volatile.Write(ref _isLate, value);
        }

        // On the thread pool, since it may block, and the thread of the call may be a reactor's.
        private Task<string?> Start(PeerUserNames names, PeerIdentity user)
        {
            var lookup = Task.Run(() =>
            {
                try
                {
                    return names.Find(user);
                }
                finally
                {
                    // Whoever asks from here on gets a lookup of its own.
                    names._running.TryRemove(new(user, this));
                }
            });

            // Calls that wait see its exception. It may be that none waits any more.
            _ = lookup.ContinueWith(
                static failed => failed.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default);
            return lookup;
        }
    }
}
