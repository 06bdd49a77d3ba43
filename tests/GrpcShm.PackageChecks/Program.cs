using GrpcShm.PackageChecks;

// Usage: PACKAGES REPOSITORY
// Looks at the packages that `dotnet pack` has written into the folder PACKAGES, and says all that is wrong with them.
if (args.Length != 2)
{
    Console.Error.WriteLine("Name two folders: that of the packages, and that of the repository which they were packed from.");
    return 2;
}

var repository = new Repository(args[1]);
var packages = repository.Projects.Select(project => Package.Open(args[0], project)).ToList();
var libraries = packages.Where(static package => package.Project.IsLibrary).ToList();
var surface = PublicSurface.Of(libraries);
using var commit = new CommittedFiles(repository);
var faults = packages
    .SelectMany(package => DescriptionChecks.Find(package, repository).Concat(PageChecks.Find(package, repository)))
    .Concat(libraries.SelectMany(SbomChecks.Find))
    .Concat(libraries.SelectMany(package => DocumentationChecks.Find(package, surface)))
    .Concat(libraries.SelectMany(package => SymbolChecks.Find(package, repository, commit)))
    .ToList();
faults.ForEach(Console.Error.WriteLine);
Console.WriteLine($"{packages.Count} packages, {commit.Compared} source files, {faults.Count} faults");
return faults.Count == 0 ? 0 : 1;
