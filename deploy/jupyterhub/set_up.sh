#!/usr/bin/env bash
# Makes the folders of a class, as root: set_up.sh COURSE_REPOSITORY. Running it again renews the configuration only.
# Accounts of students are made as your machine makes accounts; this makes the grader's only.
set -euo pipefail

repository=${1:?name the folder or the address that the course is cloned from}
folder=${CNNVIZ_FOLDER:-/srv/cnnviz}
grader=${CNNVIZ_GRADER:-cnnviz-grader}
course=${CNNVIZ_COURSE:-look_inside}

id "$grader" > /dev/null 2>&1 || useradd --system --create-home --shell /usr/sbin/nologin "$grader"

mkdir -p "$folder/hub"
chmod 755 "$folder"
cp -r "$(dirname "$0")/." "$folder/hub" # students' servers read their part of it, and must not read the repository
chmod -R u=rwX,go=rX "$folder/hub"
if [ ! -e "$folder/exchange" ]; then # before anybody can put something of their own there
  mkdir -p "$folder/exchange/$course/inbound"
  chown -R "$grader:" "$folder/exchange/$course"
  chmod 755 "$folder/exchange/$course"
  chmod 3733 "$folder/exchange/$course/inbound" # hand-ins: nobody lists them, renames or removes another's
fi
chmod 1777 "$folder/exchange" # nbgrader asks that all may write; sticky, so that nobody moves another's folder
touch "$folder/students.txt" "$folder/graders.txt"

if [ ! -e "$folder/course" ]; then
  git clone --quiet "$repository" "$folder/course"
  (umask 077 && head -c 32 /dev/urandom | base64 > "$folder/course/.cnnviz_secret") # every student's own hidden cases
  chown -R "$grader:" "$folder/course"
fi
chmod 700 "$folder/course" # answers, hidden cases, the secret, every student's work
echo "$folder is ready: write one account a line into students.txt and graders.txt."
