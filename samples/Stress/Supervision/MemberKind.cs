namespace Samples.Stress.Supervision;

/// <summary>The part that a process takes.</summary>
internal enum MemberKind
{
    /// <summary>The hub, of which there is one.</summary>
    Hub,

    /// <summary>Sends events.</summary>
    Producer,

    /// <summary>Processes events.</summary>
    Consumer,
}
