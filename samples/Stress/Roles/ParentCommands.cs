namespace Samples.Stress.Roles;

/// <summary>The commands of the first process on a role's standard input.</summary>
internal sealed class ParentCommands
{
    /// <summary>Make no more events, and end when all are acknowledged.</summary>
    public const string Drain = "drain";

    private readonly TaskCompletionSource _draining = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _gone = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when no more events are wanted.</summary>
    public Task Draining => _draining.Task;

    /// <summary>Completes when the first process wants this one to end, or has died.</summary>
    public Task Gone => _gone.Task;

    public static ParentCommands Listen()
    {
        var commands = new ParentCommands();

        // This needs a thread of its own, since all methods of the console read synchronously.
        new Thread(commands.Read) { IsBackground = true, Name = "parent" }.Start();
        return commands;
    }

    private void Read()
    {
        while (Console.In.ReadLine() is { } line)
        {
            if (line == Drain)
            {
                _draining.TrySetResult();
            }
        }

        _gone.TrySetResult();
    }
}
