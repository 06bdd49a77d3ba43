namespace GrpcShm.PackageChecks;

/// <summary>All checks of a package.</summary>
internal sealed class Checks(Repository repository, PublicSurface surface, CommittedFiles commit)
{
    public IEnumerable<string> Find(Package package)
    {
        var faults = DescriptionChecks.Find(package, repository).Concat(PageChecks.Find(package, repository));
        return package.Project.IsLibrary
            ? faults
                .Concat(SbomChecks.Find(package))
                .Concat(DocumentationChecks.Find(package, surface))
                .Concat(SymbolChecks.Find(package, repository, commit))
            : faults;
    }
}
