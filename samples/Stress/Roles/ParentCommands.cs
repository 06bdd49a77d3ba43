namespace Samples.Stress.Roles;

/// <summary>What the first process tells a role on its standard input.</summary>
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

        // On a thread of its own: the console reads synchronously, by whatever method.
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
